"""Do we speak the language of compiled plugins?"""
