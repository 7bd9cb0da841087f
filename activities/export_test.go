package activities

// Deferrals is how many there were in a row at an attempt of the activity.
func (t TurnTrouble) Deferrals(attempt int32) int { return t.deferrals(attempt) }
