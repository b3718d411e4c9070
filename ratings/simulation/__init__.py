"""Imagined arenas with known truth: voters, riggers, and what each defence makes of their votes.

Arrays in, arrays out, everything from one seed. Knows no Django, no table and no page.
"""
