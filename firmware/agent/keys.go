package agent

// keys are check values and ages of the keys in use.
func (a *Agent) keys() Event { return Event{Event: "keys", Keys: a.host.Keys()} }

// DestroyKeys clears the acquirer's keys in memory, for a terminal whose case was opened; whoever calls it destroys the
// kept ones too. What is owed then waits until new keys were loaded and the agent was started again.
func (a *Agent) DestroyKeys() { a.host.DestroyKeys() }
