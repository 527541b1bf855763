"""Files, folders and videos: restored one after another, with nothing lost on the way."""
