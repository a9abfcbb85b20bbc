"""What happens to people's rollouts on a real control plane?"""
