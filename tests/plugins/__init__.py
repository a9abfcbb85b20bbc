"""What may a stranger's plugin do, and what becomes of it then?"""
