console.error("Preferences can't be read: the reading pane is set to its defaults.");
