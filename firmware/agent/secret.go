package agent

import "encoding/json"

// sent is a request as it goes over the socket: the one place where a password is written down. Everything else that
// prints or encodes a request prints a mask.
func sent(q Request) ([]byte, error) {
	type plain Request
	return json.Marshal(struct {
		plain
		Password     string `json:"password,omitempty"`
		WithPassword string `json:"with_password,omitempty"`
	}{plain(q), q.Password.TextInTheClear(), q.WithPassword.TextInTheClear()})
}
