"""The record in forms that other tools load: a form is a file, its ``write`` makes the tables in a folder."""
