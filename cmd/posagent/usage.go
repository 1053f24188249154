package main

const usage = `usage: posagent VERB [flags]

  run                      drive the terminal until stopped
  sale AMOUNT              charge one card, or with -code a payment code: posagent sale 12.50
  void STAN|REFERENCE      undo a sale of the open batch: posagent void 12 -supervisor 00
  refund AMOUNT            give money back, of any day: posagent refund 2.50 -of REFERENCE -supervisor 00
  preauth AMOUNT           hold money on a card: posagent preauth 500
  preauth-cancel           let it go: -of STAN|REFERENCE or -auth CODE -date MMDD -amount AMOUNT, and -supervisor 00
  completion AMOUNT        charge what was held: -of or -auth and -date, days later too
  completion-cancel STAN|REFERENCE   undo a completion of the open batch
  completion-notice AMOUNT charge what was held without asking first; needs no line
  offline-sale AMOUNT      a sale that was authorised by telephone: posagent offline-sale 12.50 -auth 123456
  balance                  what a card's account holds, for the cardholder alone
  batch totals             what the open batch comes to
  batch close              settle it with the acquirer and open the next
  batch report [BATCH]     the settlement report again, marked as a duplicate
  txn list                 the newest transactions
  txn show ID|REFERENCE    one transaction with its journal
  txn reprint ID|REFERENCE its slip again, marked as a duplicate
  txn resolve ID|REFERENCE close what waits for people: two of them, with evidence; it is never deleted
  status                   the terminal at a glance
  store recount            hold the totals that are kept against the records
  store check              look at every page of the books, while no agent runs
  store report             what a repair of the books found, until -acknowledge
  supervisor list          who may allow what takes money back, and who is locked out
  supervisor set NUMBER    add one, or give one a new password
  supervisor unlock NUMBER let one in again after too many wrong passwords
  supervisor remove NUMBER take one off the list
  blocklist load FILE      replace the list of cards that are not charged; - reads it from standard input
  scanner setup            set a gm72 for good to look only when a sale asks it to, once in its life, while no agent runs
  params show              what the acquirer has set here, and what of it is in force or in the reader
  keys load [BUNDLE]       load the master key, or with -dukpt a DUKPT initial key: two persons type it, or a signed bundle
  keys show                check values, ages and sources of the keys, never a key
  keys log                 who loaded which keys
  keys request             what the key centre makes a bundle from
  keys seal                seal a master key that lies in the clear
  keys destroy -yes        end all keys, for a terminal that goes out of service
  keys signer FILE         at the key centre: make a signing key
  keys bundle REQUEST      at the key centre: a terminal's key as a signed bundle
  host echo|signin|test    the way to the acquirer, with the milliseconds of each part; test tries every bearer
  profile show NAME|FILE   how an acquirer is spoken to: unionpay, iso87, or a file of one's own
  profile check FILE       judge such a file; every fault with its line
  config check [FILE]      judge a configuration
  version                  what this is

Every verb takes -config FILE (or POSAGENT_CONFIG; ` + defaultConfig + ` otherwise) and -h.
`
