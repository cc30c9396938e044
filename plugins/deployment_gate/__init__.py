"""The pytest plugin that turns what checks saw of a deployed platform into one verdict."""
