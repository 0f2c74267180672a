"""Questions asked of any model that has what they need."""
