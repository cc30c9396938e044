"""Looking at the target: each probe leaves an observation, none has an opinion."""
