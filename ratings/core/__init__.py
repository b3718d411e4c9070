"""The mathematics of ratings on arrays; knows no database, no names of models and no pages."""
