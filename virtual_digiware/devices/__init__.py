"""Products as data and behaviours as classes; knows no socket, no file handle and no wall clock."""
