"""Do compiled plugins take part as they are used to, and does whatever they do wrong stay with those who use them?"""
