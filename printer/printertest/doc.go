// Package printertest is an ESC/POS receipt printer made of memory, for tests and for the device simulator program. It
// has paper that can end, a cover that can open and a blade that can jam, prints what it is sent onto text and onto a
// picture, and answers as the manuals say a printer does (codes.go).
//
//	         real-time commands, at once
//	       ┌────────────────────────────────► status, recovery
//	bytes ─┤ reception                                           ┌─► Slips, Paper, paper.txt
//	       └─► whole commands ─► buffer ─► execution ─► line ─► paper ─► NNN.txt, NNN.png
//	                             4 KiB     only while online
//
// Out of paper, with an open cover or a jammed blade it stops executing: what arrives stays in the buffer and is printed
// when the fault ends, as real printers do. Whatever it does not understand, and everything that would come out wrong, is
// listed by Faults.
//
// It is written from the manuals and shares no table with the driver it is used to test.
//
// The picture's glyphs are those of github.com/hajimehoshi/bitmapfont/v3, face FaceSCEA (simplified Chinese, wide
// symbols). The package is under the Apache License 2.0; its glyphs come from Ark Pixel Font and Cubic 11 (SIL OFL 1.1),
// M+ Bitmap Font and Baekmuk Gulim (their own free licences), and misc-fixed (public domain). They are linked into
// simulators and tests only.
package printertest
