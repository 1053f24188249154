package txnstore

import "errors"

// What a caller can act on. Every error of this package that matters to a caller wraps one of these.
var (
	// ErrOtherTerminal: the directory belongs to another terminal. Nothing was changed.
	ErrOtherTerminal = errors.New("the store belongs to another terminal")
	// ErrNewer: a newer program has brought the files to a schema that this one does not know. Nothing was changed.
	ErrNewer = errors.New("the store was written by a newer program")
	// ErrSealed: the key does not open what is stored. Nothing was changed.
	ErrSealed = errors.New("the key does not open this store")
	// ErrDamaged: a file is missing or damaged where the terminal has been in service. From View: the next Open salvages
	// it. From Open: nothing that can be read says whose store it is, and nothing was changed.
	ErrDamaged = errors.New("the store is damaged")
	// ErrLocked: another process, or another Store of this one, has the directory open.
	ErrLocked = errors.New("another posagent has this store open")
	// ErrNotFound: no transaction has this number.
	ErrNotFound = errors.New("no such transaction")
	// ErrReference: a transaction with this reference exists; Begin returns it along with this error.
	ErrReference = errors.New("the reference has been used")
	// ErrStep: the state of the record does not allow the step. Nothing was changed.
	ErrStep = errors.New("step refused")
	// ErrIdentity: a change touched what a record keeps for life, or what only the store sets. Nothing was changed.
	ErrIdentity = errors.New("change refused")
	// ErrFull: every slot holds a transaction in the middle of its exchange. Finish or reverse one first.
	ErrFull = errors.New("too many transactions are open")
	// ErrRecord: a draft or a change holds something that cannot be stored. Nothing was changed.
	ErrRecord = errors.New("record refused")
	// ErrBadRecord: a stored record cannot be read. The others can.
	ErrBadRecord = errors.New("record unreadable")
	// ErrBatch: the batch number is not usable. Nothing was changed.
	ErrBatch = errors.New("batch number refused")
	// ErrUnknownCommit: a commit failed and may or may not have reached the disk. Send nothing for it; what Owed says
	// afterwards is what counts.
	ErrUnknownCommit = errors.New("not known whether the change was stored")
	// ErrClosed: the store was closed.
	ErrClosed = errors.New("the store is closed")
)
