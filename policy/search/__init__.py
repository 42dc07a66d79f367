"""Search for images by what is known of them: conditions in, images that the caller may see out."""
