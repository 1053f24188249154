package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// countDamage takes one job's outcome.
func (p *damageProver) countDamage(_ job, o outcome) {
	if now := time.Now(); now.After(p.next) {
		p.next = now.Add(sayEvery)
		p.say("%d distinct images, %d wrong", len(p.distinct), len(p.found))
	}
	row := p.rows[o.Area]
	if row == nil {
		row = map[string]int{}
		p.rows[o.Area] = row
	}
	for what, n := range o.Sorts {
		row[what] += n
	}
	for len(o.Digests) > 0 {
		p.distinct[digest(o.Digests[:len(digest{})])] = true
		o.Digests = o.Digests[len(digest{}):]
	}
	for _, f := range o.Faults {
		p.byKind[f.Kind]++
		p.say("%s: %s: %s", p.nameOf(f), f.Kind, f.Words)
		p.trouble = errors.Join(p.trouble, p.keepImage(f))
	}
	p.byKind["others"] += o.Failures - len(o.Faults)
	p.found = append(p.found, o.Faults...)
}

var damageOrder = []string{kindPage, kindSwap, kindCopy, kindBit, kindByte, kindRun, kindNumber, kindCut, kindWhole,
	kindSeveral, kindAcross, kindBoth, kindFlush, kindWrite, kindOlder}

// reportDamage prints a screen, and says by its error whether anything is wrong.
func (p *damageProver) reportDamage(out io.Writer, took time.Duration) error {
	fmt.Fprintf(out, "%-40s %8s %8s %10s %8s | %8s %9s %8s\n", "what was done", "hot.db", "shadow", "archive.db", "several", "reported", "all there", "refused")
	total := map[string]int{}
	for _, kind := range damageOrder {
		var cells [4]int
		sum := map[string]int{}
		for i, file := range append(damageFiles[:3:3], "") {
			row := p.rows[kind+"/"+file]
			cells[i] = row["images"]
			for what, n := range row {
				sum[what] += n
				total[what] += n
			}
		}
		fmt.Fprintf(out, "%-40s %8d %8d %10d %8d | %8d %9d %8d\n", kindWords[kind], cells[0], cells[1], cells[2], cells[3], sum["told"], sum["kept"], sum["refused"])
	}
	fmt.Fprintf(out, "%-40s %37d | %8d %9d %8d\n", "examined", total["images"], total["told"], total["kept"], total["refused"])
	fmt.Fprintf(out, "%-40s %37d\n\n", "of them with distinct contents", len(p.distinct))
	flush := p.rows[kindFlush+"/"]
	fmt.Fprintf(out, "flushes that did not happen, and matter: %d, reported %d; as an honest power cut leaves it: %d, reported %d; in the past: %d, reported %d\n",
		flush["lie "+string(lieMatters)], flush["told "+string(lieMatters)], flush["lie "+string(lieHonest)], flush["told "+string(lieHonest)],
		flush["lie "+string(liePast)], flush["told "+string(liePast)])
	fmt.Fprintf(out, "whole lists: %s\n", p.whole())
	fmt.Fprintf(out, "healthy again after two starts: %d\n\n", total["healthy"])
	bad := p.byKind["others"]
	var counts []string
	for _, kind := range append(damageKindsOfFault, unowed) {
		counts = append(counts, fmt.Sprintf("%d %s", p.byKind[kind], kind))
		bad += p.byKind[kind]
	}
	if more := p.byKind["others"]; more > 0 {
		counts = append(counts, fmt.Sprintf("and %d more", more))
	}
	fmt.Fprintln(out, strings.Join(counts, ", "))
	slices.SortStableFunc(p.found, func(a, b blame) int { return p.byKind[a.Kind] - p.byKind[b.Kind] })
	for _, f := range p.found[:min(len(p.found), shownFaults)] {
		fmt.Fprintf(out, "  %s: %s: %s\n", p.nameOf(f), f.Kind, f.Words)
	}
	fmt.Fprintln(out, "\ncontrols")
	lines, missed := p.judgeDamageControls()
	fmt.Fprintln(out, strings.Join(lines, "\n"))
	fmt.Fprintf(out, "\n%.0f images a second with %d workers, %v in all; seed %d\n",
		float64(total["images"])/took.Seconds(), p.damageSettings.workers, time.Since(p.began).Round(time.Second), p.plan.Seed)
	if bad > 0 && p.damageSettings.keep != "" {
		fmt.Fprintf(out, "the first of each sort are kept: hil damage -image %s/NAME examines one again\n", p.damageSettings.keep)
	}
	switch {
	case bad > 0:
		return fmt.Errorf("%d damaged images are borne wrongly", bad)
	case missed > 0:
		return fmt.Errorf("%d controls did not do what they must", missed)
	case len(p.distinct) < p.images:
		return fmt.Errorf("only %d distinct images of %d", len(p.distinct), p.images)
	}
	return nil
}

// whole says how many of the lists of images, a kind of a file of a store each, were examined to the end.
func (p *damageProver) whole() string {
	all, ended, pages, pagesEnded := 0, 0, 0, 0
	for _, d := range p.drawn {
		all++
		if d.name == kindPage {
			pages++
		}
		if d.taken == d.of {
			ended++
			if d.name == kindPage {
				pagesEnded++
			}
		}
	}
	return fmt.Sprintf("%d of %d, of every page in every way %d of %d", ended, all, pagesEnded, pages)
}

func (p *damageProver) nameOf(f blame) string {
	kind := p.plan.kinds(f.History)[f.Step]
	where := ""
	if f.History < len(p.plan.Bases) {
		where = p.plan.Bases[f.History].Name
	} else if h := &p.plan.Lives[f.History-len(p.plan.Bases)]; kind.name != kindOlder {
		where = flushLies(h, kind.name == kindWrite)[f.Number].told(h)
	} else {
		o := olderFiles(h)[f.Number]
		where = fmt.Sprintf("%s of promise %d at %d", o.file, promisedAt(h.Ops, o.then), promisedAt(h.Ops, o.cut))
	}
	return fmt.Sprintf("%s %s, %s, number %d", kind.name, kind.file, where, f.Number)
}

// keepImage lays a wrong image out as files, the first of each sort.
func (p *damageProver) keepImage(f blame) error {
	if p.damageSettings.keep == "" || p.byKind[f.Kind] > shownFaults {
		return nil
	}
	w := p.keeper
	if err := w.turn(f.History); err != nil {
		return err
	}
	s, err := w.specimen(job{History: f.History, Step: f.Step}, f.Number)
	if err != nil || s.state == nil {
		return errors.Join(err, fmt.Errorf("%s cannot be made again", p.nameOf(f)))
	}
	k := kept{Totals: s.sum, OneFile: s.want.oneFile, Told: s.want.told, Recount: s.want.recount}
	if f.History < len(p.plan.Bases) {
		b := p.plan.Bases[f.History]
		k.Promises, k.Acked, k.Pruned = b.Promises, len(b.Promises), b.Pruned
	} else {
		h := &p.plan.Lives[f.History-len(p.plan.Bases)]
		k.Promises, k.Acked = w.list, promisedAt(h.Ops, w.cutOf(f.Step, f.Number))
	}
	dir := filepath.Join(p.damageSettings.keep, fmt.Sprintf("%s-%d-%d-%d", f.Kind, f.History, f.Step, f.Number))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	b := workbench{dir: filepath.Join(dir, "store")}
	return errors.Join(b.lay(s.state), writeGob(filepath.Join(dir, keptName), k))
}
