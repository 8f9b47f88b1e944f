"""How an agent behaves in a call: it minds silence and limits, takes its leave, repeats itself and slows down."""
