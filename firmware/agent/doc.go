// Package agent joins the rooms: it puts drivers on wires, the engine on the drivers, and a local socket in front of it.
// It is the only package that knows them all, and it decides nothing about money.
//
// Life of a running agent:
//
//	New ─► Run: decide what a previous run left open (commits only)
//	          ├─► socket: one goroutine a connection, requests as JSON lines (protocol.go)
//	          └─► rounds: recover, print owed paper, tidy the store; again on a timer while anything is owed,
//	              and after every sale
//
// Lines are opened when first used and again after they broke, so that a printer plugged in late, or a USB adapter that
// came back under the same path, needs no restart.
package agent
