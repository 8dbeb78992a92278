"""A run as a document to read: one content, rendered as Markdown or as one HTML file."""
