"""What measures speed, as programs that print a table (`make bench`); never a timed test.

Everything that is compared is measured in one run, in turns (A B C, A B C, ...), and what a table quotes is the
ratio of each turn's pair: a machine that is busy with something else slows both sides of a pair.
"""
