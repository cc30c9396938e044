"""The API as its environment describes it: who signs in, what is listed, what must hold."""
