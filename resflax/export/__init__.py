"""A trained net as one file that runs without this project."""
