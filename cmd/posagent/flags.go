package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

func (c *command) misused(what string) int {
	fmt.Fprintf(c.err, "%s\n\n%s", what, usage)
	return exitUsage
}

// verb parses flags, which may stand before or after the argument, and runs do. wants names the argument, in brackets if
// it may be left out; a verb has one or none.
func (c *command) verb(name, wants string, rest []string, define func(*flag.FlagSet), do func(string) int) int {
	f := flag.NewFlagSet("posagent "+name, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	help := func(to io.Writer) {
		fmt.Fprintf(to, "usage: %s [flags]\n", strings.TrimSpace("posagent "+name+" "+wants))
		f.SetOutput(to)
		f.PrintDefaults()
	}
	f.StringVar(&c.config, "config", c.config, "configuration `FILE`")
	f.BoolVar(&c.json, "json", false, "answer in JSON, one object a line")
	if define != nil {
		define(f)
	}
	var args []string
	for len(rest) > 0 {
		if minusNumber(rest[0]) {
			args, rest = append(args, rest[0]), rest[1:]
			continue
		}
		if err := f.Parse(rest); errors.Is(err, flag.ErrHelp) {
			help(c.out)
			return exitDone
		} else if err != nil {
			fmt.Fprintf(c.err, "posagent %s: %v\n\n", name, err)
			help(c.err)
			return exitUsage
		}
		if rest = f.Args(); len(rest) > 0 {
			args, rest = append(args, rest[0]), rest[1:]
		}
	}
	switch {
	case len(args) == 0 && wants != "" && wants[0] != '[':
		return c.misused(fmt.Sprintf("posagent %s: %s is missing", name, wants))
	case wants == "" && len(args) > 0:
		return c.misused(fmt.Sprintf("posagent %s: %q is one thing too many", name, args[0]))
	case len(args) > 1:
		return c.misused(fmt.Sprintf("posagent %s: %q is one thing too many; it takes one %s", name, args[1], strings.Trim(wants, "[]")))
	}
	if c.config == "" {
		c.config = defaultConfig
	}
	return do(strings.Join(args, ""))
}

// minusNumber tells "-5", a wrong amount, from a flag.
func minusNumber(word string) bool {
	return len(word) > 1 && word[0] == '-' && strings.IndexByte(".0123456789", word[1]) >= 0
}
