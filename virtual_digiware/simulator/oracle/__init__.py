"""The right answer: any point at any time as every protocol shows it, and what a client made of it."""
