module posagent/cmd/hil/sqlite

go 1.26.0

require github.com/ncruces/go-sqlite3 v0.30.5

require (
	github.com/ncruces/julianday v1.0.0 // indirect
	github.com/tetratelabs/wazero v1.11.0 // indirect
	golang.org/x/sys v0.40.0 // indirect
)
