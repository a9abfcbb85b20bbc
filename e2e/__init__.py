"""What does the controller do on a real control plane, with real clients?"""
