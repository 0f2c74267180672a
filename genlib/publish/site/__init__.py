"""The static site: the live page, every model's card and training, the leaderboard and the findings, as plain files."""
