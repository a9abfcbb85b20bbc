"""Transcripts of whole rollouts: do they still read as they did?"""
