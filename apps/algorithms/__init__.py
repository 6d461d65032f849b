"""The numeric core: plain numpy, scipy, scikit-learn and implicit. It imports no Django."""
