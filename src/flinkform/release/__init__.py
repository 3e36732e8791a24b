"""From a commit to production and back: what a commit changes, what that costs, and who may bring it where."""
