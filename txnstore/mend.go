package txnstore

import "fmt"

// mend lets the verifier look at the files, and salvages what bbolt must not see. A root of archive.db that is torn may
// hide commits whose slots have been used again since: unless hot.db heard of none that is missing, everything is looked at
// then too. Again says that starts have died of what the verifier finds nothing wrong with.
func (s *Store) mend(again bool) (seen looked, err error) {
	health, err := examined(s.dir, suspected(s.dir), nil, s.codec)
	if err != nil {
		return seen, err
	}
	sick, heard := behind(health) || again, false
	for _, h := range health {
		sick = sick || h.Verdict == Damaged
		heard = heard || h.heard > 0
		seen.archiveTorn = seen.archiveTorn || h.File == archiveName && h.Verdict == Repairable
		seen.hotTorn = seen.hotTorn || h.File == hotName && h.Verdict == Repairable
	}
	if !sick && (!seen.archiveTorn || heard) {
		for _, h := range health {
			for _, f := range h.Findings {
				if h.File != shadowName { // of its blocks reconcile says more
					seen.findings = append(seen.findings, fmt.Sprintf("%s: %s", h.Verdict, f))
				}
			}
		}
		seen.whole = true
		return seen, nil
	}
	if health, err = examined(s.dir, true, nil, s.codec); err != nil { // one damage is a sign of others
		return seen, err
	}
	if again {
		for i := range health {
			if h := &health[i]; h.File != shadowName {
				h.add(Damaged, &fault{0, 0, fmt.Sprintf("the last %d starts ended before they were done", mostDeaths)})
			}
		}
	}
	seen.findings, err = mend(s.dir, s.codec, s.stamp(), health)
	return seen, err
}

// looked is what a look at the files came to before bbolt was given them.
type looked struct {
	findings    []string
	whole       bool // nothing had to be mended
	archiveTorn bool // a root of archive.db is to be written again
	hotTorn     bool // a root of hot.db is unreadable, perhaps the newer one
}

// renewRoot commits archive.db once, which writes the root that was torn. On a full disk it is left for another time.
func (s *Store) renewRoot() error {
	if s.files.archive.reserve(archiveMust) != nil {
		return nil
	}
	return s.writeArchive(nil, nil)
}
