"""Any world: what is true of every rollout?"""
