"""What a conversation is about: its language, and the categories that ratings are made by.

`interface` is what a tagger takes and gives; `rules` is the one that comes with the arena. Knows
nothing of Django, of votes, or of which model answered.
"""
