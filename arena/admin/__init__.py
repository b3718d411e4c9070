"""Pages for operators: what was asked, answered and voted, and what moderators have to decide.

Nothing here writes but through services; votes and ledger are shown and never edited.
"""

from arena.admin import battles, oversight, votes

__all__ = ["battles", "oversight", "votes"]
