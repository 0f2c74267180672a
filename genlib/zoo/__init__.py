"""The trained models as a collection: lists, the leaderboard, cards."""
