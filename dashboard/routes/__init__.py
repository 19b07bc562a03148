"""What is served beside the pages: the data, and headers for everything."""
