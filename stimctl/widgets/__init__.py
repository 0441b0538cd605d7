"""How one status is drawn: pure functions from frozen values to styled text, and two small widgets.

Nothing here decides or sends anything. Text from files and people is never read as markup: it goes through Textual's
``Content``, which keeps ``[red]`` as five characters. No fact is told by colour alone: every colour has a word or a
sign beside it (hazard H52), and everything reads the same in one colour.
"""
