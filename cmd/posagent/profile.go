package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/BurntSushi/toml"

	"posagent/link/profile"
)

// readProfile reads the profile that the configuration names. What it says of MAC, answers and tries holds where the
// configuration says nothing. Faults of the profile come with its own lines.
func (c *Config) readProfile(meta toml.MetaData) []string {
	p, err := openProfile(c.Acquirer.Profile, c.path)
	if err != nil {
		p = profile.UnionPay() // so that the rest can be judged too
	} else {
		c.profile = p
	}
	own := func(key string) bool { return meta.IsDefined("acquirer", key) }
	if !own("mac") {
		c.Acquirer.MAC = p.MAC
	}
	if !own("answer") {
		c.Acquirer.Answer.Duration = p.Answer
	}
	if !own("reversal_tries") {
		c.Acquirer.ReversalTries = p.ReversalTries
	}
	var wrong *profile.Error
	switch {
	case errors.As(err, &wrong):
		return strings.Split("acquirer.profile: "+strings.ReplaceAll(wrong.Error(), "\n", "\nacquirer.profile: "), "\n")
	case err != nil:
		return []string{"acquirer.profile: " + err.Error()}
	}
	return nil
}

// openProfile reads a built-in profile by its name, or a file.
func openProfile(name string, path func(string) string) (*profile.Profile, error) {
	if name != profile.UnionPayName && name != profile.ISO87Name {
		name = path(name)
	}
	return profile.Open(name)
}

// profileShow prints a profile as one file without a base, with what its forms may name in braces. It is the way to start
// a profile of one's own, and to see what one says.
func (c *command) profileShow(name string) int {
	p, err := profile.Open(name)
	if err != nil {
		return c.fail(err)
	}
	fmt.Fprintf(c.out, "# %s, mark %q. What a field of a message may say in braces:\n#\n", p.Name, p.Mark)
	for line := range strings.Lines(profile.Facts()) {
		fmt.Fprint(c.out, "#   ", line)
	}
	fmt.Fprint(c.out, p.Text())
	return exitDone
}

// profileCheck judges a file.
func (c *command) profileCheck(name string) int {
	p, err := profile.Open(name)
	if err != nil {
		return c.fail(fmt.Errorf("%s\n%w", name, err))
	}
	fmt.Fprintf(c.out, "%s: good; profile %s, mark %q\n", name, p.Name, p.Mark)
	return exitDone
}

// mark is what stands in every record that is begun now.
func (c *Config) mark() string {
	if c.profile == nil {
		return ""
	}
	return c.profile.Mark
}
