"""Reports: one value in, a table for people or JSON for machines out."""
