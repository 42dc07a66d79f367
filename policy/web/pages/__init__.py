"""What each page shows: from a visit to a document of plain data, one file for each page."""
