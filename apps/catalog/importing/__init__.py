"""Films out of data sets of TMDB's kind, out of TMDB itself, and knowledge graphs about them."""
