package assign

// Classes is how many classes a board has.
func (b *Board) Classes() int { return len(b.classes) }
