/*
 * Several controllers, one run: sessions, claim, append, send window and takeover, for spin.
 * `.ci/model` tries every order of events with every rule, and again with one rule left out.
 *
 * What is promised, each by an assertion or a formula:
 *   second_effect     One call has one effect, whoever sends it, however often.
 *   fence_fell        The attempts in a journal have rising fences.
 *   under_other_lock  No change leaves while another run has the lock of its group.
 *   sent_though_lost  No change leaves after its controller was told that the session is over.
 *   finished          Once troubles stop, the run gets to its end: whatever came before, somebody
 *                     who lives can finish it. Nothing waits for ever.
 *
 * How it is told:
 *   Journal     Its records are not kept, only what is read from them: whether a call is without
 *               an answer, whether the run is done, and whether somebody else has written since a
 *               controller has read it (`stale`). That last bit is the comparison "the next record
 *               is absent". So a journal may be of any length.
 *   Store       It is always consistent, as etcd is for linear reads and transactions. Members,
 *               elections and full disks show up as what a client sees of them: answers that are
 *               lost, requests that are carried out late, also after they were given up, sessions
 *               that end late, or, with CUT_SHORT, early.
 *   Time        It goes on in ticks, at any moment, or not at all; nothing bounds how long a
 *               controller stands still between two steps. Clocks run at the same rate, and show
 *               different times: each timer is counted by one controller alone. As ticks are whole,
 *               a limit allows an age up to the limit, and a wait demands one above it: rounding
 *               favours neither.
 *   Renewal     Question and answer are one step. An answer that comes later gives the same
 *               `held_until`, since that counts from the question; until then the older one holds.
 *   Exchange    Sent bytes arrive within T, or never, also when the sender is killed.
 *   Service     It has an effect for every call that arrives. That is the worst service. It may
 *               know better: REMEMBERS_TOKENS, REFUSES_TWICE. With COMES_BACK the run that went on
 *               has brought the group back (reprotect, failback), so that a late call is welcome.
 *   Process     A controller that was told "lost" is a new process with a new session when it
 *               claims again. One that is killed matters only to `finished`: for the rest it is
 *               one that stands still for ever.
 *   Look        It tells the truth; looks that show an older state are left out.
 *
 * What it says of the rules is in the list of .ci/model. Three need words:
 *   - RECORD_COMPARE and LOCK_COMPARE both keep older controllers from writing. Either of them is
 *     enough for effects; the first is needed where a store has no transactions, and the second
 *     makes older ones fail sooner.
 *   - HELD_UNTIL and HEED_LOST do not guard the effects of one run: WINDOW and WAIT do, also where
 *     sessions end early. They guard a group against other runs, which do not wait, because they
 *     do not read that journal. What has left in time may arrive up to T later, under the lock of
 *     another run; and where a session is cut short, by hand or by a fault of the store, a change
 *     may leave until its controller is told. Then the state of the group has to protect it.
 *   - What remains with all rules is PAUSED_AT_SEND: a controller that stands still between the
 *     last check and the sending. Then the token protects, as long as the service remembers it, or
 *     the state of the group, as long as nobody has brought it back.
 */

/* Bounds: controllers, and ticks: a call may leave for S, is on its way for T, and a session lives
   for TTL. SHORT takes ticks off the wait of a takeover. */
#ifndef N
#define N 2
#endif
#ifndef S
#define S 1
#define T 1
#define TTL 3
#endif
#ifndef SHORT
#define SHORT 0
#endif
#define W (S + T - SHORT)

/* Rules. */
#ifndef RECORD_COMPARE /* a record is written only where there is none */
#define RECORD_COMPARE 1
#endif
#ifndef LOCK_COMPARE /* and only while the lock is that of the writer */
#define LOCK_COMPARE 1
#endif
#ifndef FENCE_LOOK /* who reads an attempt with a higher fence than his own stops */
#define FENCE_LOOK 1
#endif
#ifndef REFUSALS /* a refused record is not taken for a written one */
#define REFUSALS 1
#endif
#ifndef WAIT /* W lies between the own attempt and the sending of a call that another announced */
#define WAIT 1
#endif
#ifndef LOOK /* before a call is sent, it is looked whether its effect is there */
#define LOOK 1
#endif
#ifndef LOOK_AGAIN /* after the wait, too */
#define LOOK_AGAIN 1
#endif
#ifndef JOURNAL_TOKEN /* a call that is sent again has the token that it had */
#define JOURNAL_TOKEN 1
#endif
#ifndef WINDOW /* a call leaves only within S of the beginning of its record's transaction */
#define WINDOW 1
#endif
#ifndef FIRST_TRY /* which is that of the first try */
#define FIRST_TRY 1
#endif
#ifndef RESET /* nothing arrives of an exchange that was given up */
#define RESET 1
#endif
#ifndef HELD_UNTIL /* a call leaves only while the session holds by the own clock */
#define HELD_UNTIL 1
#endif
#ifndef ASKED_AT /* which counts from the question, not from the answer */
#define ASKED_AT 1
#endif
#ifndef TERM /* the word of a leader of an older term is no renewal */
#define TERM 1
#endif
#ifndef HEED_LOST /* a call does not leave once the session is known to be over */
#define HEED_LOST 1
#endif
#ifndef BOOTTIME /* clocks go on while the machine sleeps */
#define BOOTTIME 1
#endif
#ifndef LEASED /* a lock ends with the session of its holder */
#define LEASED 1
#endif

/* Circumstances. */
#ifndef PAUSED_AT_SEND /* a controller may stand still between check and sending */
#define PAUSED_AT_SEND 0
#endif
#ifndef REMEMBERS_TOKENS
#define REMEMBERS_TOKENS 0
#endif
#ifndef REFUSES_TWICE /* the service refuses a call whose effect is there */
#define REFUSES_TWICE 0
#endif
#ifndef COMES_BACK
#define COMES_BACK 0
#endif
#ifndef CUT_SHORT /* sessions may end at any time */
#define CUT_SHORT 0
#endif
#ifndef TWO_RUNS /* each controller has a run of its own, and they share a group */
#define TWO_RUNS 0
#endif
#ifndef ENDS /* troubles stop at some moment, and all but one may be killed before */
#define ENDS 0
#endif

/* Promises that are asked for. */
#ifndef ONE_EFFECT
#define ONE_EFFECT 1
#endif
#ifndef RISING
#define RISING 1
#endif
#ifndef OWN_LOCK /* 2: nor does any arrive */
#define OWN_LOCK 1
#endif
#ifndef HEEDED /* whoever stands still between check and sending can not */
#define HEEDED !PAUSED_AT_SEND
#endif

/* What a controller may have on its way to the store. */
#define NOTHING 0
#define ATTEMPT 1
#define CALL 2
#define ANSWER 3
#define DONE 4

#define X (N + 1)
#define RUN(c) (TWO_RUNS -> c : 0)
#define LEASE (CUT_SHORT -> 0 : TTL)

/* Store. `lock` is that of the run and of its group, which hang on one session; 0: nobody. */
byte lock, lease;
bit open[X], done[X];
bit stale[X];     /* somebody else has written since this controller has read */
bit behind[X * X]; /* [c * X + d]: the lock of c was taken before that of d */
bit older[X];     /* somebody who has taken the lock later has written his attempt */

/* What is on its way from a controller to the store. */
byte wire[X];
bit written[X];  /* it is written, and its controller does not know */
bit given_up[X]; /* its controller waits no more */

/* Timers of the controllers: ticks that are left. */
byte held[X], window[X], wait[X];
bit lost[X];

/* Calls on their way to the service, with the ticks in which they may arrive. */
byte flight[X];
bit asks[X];    /* its controller waits for the answer */
bit arrived[X]; /* the answer was lost */
bit answered[X], effect, there, remembered[X];

bit calm; byte kills = N - 1;
bit second_effect, fence_fell, under_other_lock, sent_though_lost;

#define lock_vouches(c) (!LOCK_COMPARE || lock == c)
#define is_next(c) (!RECORD_COMPARE || !stale[c])
#define can_write(c) (wire[c] && !written[c] && lock_vouches(c) && is_next(c))
#define is_over(c) ((HELD_UNTIL && !held[c]) || (HEED_LOST && lost[c]))
#define may_leave(c) ((!WINDOW || window[c]) && (!HELD_UNTIL || held[c]) && !(HEED_LOST && lost[c]))

inline write(c) {
  if
  :: wire[c] == ATTEMPT ->
    if :: RISING && older[c] -> fence_fell = 1; assert(!fence_fell) :: else fi;
    for (d : 1 .. N) { if :: RUN(d) == RUN(c) && behind[d * X + c] -> older[d] = 1 :: else fi }
  :: wire[c] == CALL -> open[RUN(c)] = 1
  :: wire[c] == ANSWER -> open[RUN(c)] = 0
  :: wire[c] == DONE -> done[RUN(c)] = 1; open[RUN(c)] = 0
  fi;
  /* Who was stale has overwritten a record of somebody, who does not see that. */
  for (d : 1 .. N) { if :: !stale[c] && d != c && RUN(d) == RUN(c) -> stale[d] = 1 :: else fi }
  d = 0
}

inline forget(c) { wire[c] = NOTHING; written[c] = 0; given_up[c] = 0 }

inline drop(c) { flight[c] = 0; arrived[c] = 0 }
inline look_whose_lock(c) {
  if :: TWO_RUNS && lock && lock != c -> under_other_lock = 1; assert(!under_other_lock) :: else fi
}

inline arrive(c) {
  if :: OWN_LOCK == 2 -> look_whose_lock(c) :: else fi;
  d = (JOURNAL_TOKEN -> 1 : c);
  if
  :: REMEMBERS_TOKENS && remembered[d]
  :: REFUSES_TWICE && there
  :: else ->
    if :: ONE_EFFECT && !TWO_RUNS && effect -> second_effect = 1; assert(!second_effect) :: else fi;
    effect = 1; there = 1
  fi;
  if :: REMEMBERS_TOKENS -> remembered[d] = 1 :: else fi;
  d = 0
}

/* What happens around a controller, at any time. */
proctype Around(byte c) {
  byte d;
end:
  do
  /* A record that was given up is written late, or never. */
  :: d_step { given_up[c] && can_write(c) -> write(c); forget(c) }
  :: d_step { given_up[c] -> forget(c) }
  /* The session is renewed, or said to be so, or is over. */
  :: d_step { held[c] && held[c] < TTL && !lost[c] && lock == c -> held[c] = TTL; lease = LEASE }
  :: d_step { held[c] && held[c] < TTL && !lost[c] && ((!ASKED_AT && lock == c) || !TERM) ->
       held[c] = TTL }
  :: d_step { held[c] && !lost[c] && lock != c -> lost[c] = 1 }
  /* A call arrives. Its answer may be lost. */
  :: d_step { flight[c] && !arrived[c] && asks[c] -> arrive(c); answered[c] = 1; flight[c] = 0 }
  :: d_step { flight[c] && !arrived[c] && !(calm && asks[c]) ->
       arrive(c);
       if :: asks[c] -> arrived[c] = 1 :: else -> flight[c] = 0 fi }
  :: d_step { COMES_BACK && done[RUN(c)] && there -> there = 0 }
  od
}

inline pass(timer) { if :: timer -> timer-- :: else fi }

/* In the end, time goes on only when nobody has anything else to do. */
proctype Time() {
  byte c;
  bit asleep;
end:
  do
  :: atomic { (!calm || timeout) ->
       pass(lease);
       for (c : 1 .. N) {
         if :: asleep = 0 :: !BOOTTIME -> asleep = 1 fi;
         if :: asleep :: else -> pass(held[c]); pass(window[c]); pass(wait[c]) fi;
         pass(flight[c]);
         if :: !flight[c] -> arrived[c] = 0 :: else fi
       }
       c = 0; asleep = 0 }
  :: d_step { LEASED && lock && !lease -> lock = 0 }
  :: d_step { ENDS && !calm -> calm = 1 }
  od
}

#define may_be_killed() atomic { ENDS && !calm && kills -> kills--; goto killed }

/* The same bytes are sent until there is an answer, or the session is over. */
inline append(kind) {
  d_step { wire[c] = kind; if :: kind == CALL -> window[c] = S + 1 :: else fi }
  do
  :: atomic { can_write(c) -> write(c); forget(c); break }
  :: d_step { can_write(c) && !calm -> write(c); written[c] = 1 }
  :: atomic { written[c] && lock_vouches(c) -> forget(c); break }
  :: atomic { !lock_vouches(c) -> forget(c); if :: REFUSALS -> goto stop :: else -> break fi }
  :: atomic { !written[c] && lock_vouches(c) && !is_next(c) ->
       forget(c);
       if
       :: !REFUSALS -> break
       :: REFUSALS && kind == ATTEMPT -> goto load
       :: REFUSALS && kind != ATTEMPT -> goto stop
       fi }
  :: atomic { is_over(c) -> given_up[c] = !written[c]; goto stop }
  :: d_step { !FIRST_TRY && kind == CALL && window[c] < S + 1 -> window[c] = S + 1 }
  :: may_be_killed()
  od
}

inline send() {
  if :: OWN_LOCK -> look_whose_lock(c) :: else fi;
  if :: HEEDED && lost[c] -> sent_though_lost = 1; assert(!sent_though_lost) :: else fi;
  flight[c] = T + 1; asks[c] = 1; window[c] = 0
}

/* The next controller comes when this one has begun: they are alike. */
inline take_lock() {
  if :: !come && c < N -> run Controller(c + 1) :: else fi;
  come = 1;
  lock = c; lease = LEASE; held[c] = TTL; lost[c] = 0; older[c] = 0;
  for (d : 1 .. N) { behind[c * X + d] = 0; if :: d != c -> behind[d * X + c] = 1 :: else fi }
  d = 0
}

inline rest() {
  lost[c] = 0; held[c] = 0; window[c] = 0; wait[c] = 0; asks[c] = 0; answered[c] = 0; foreign = 0
}

proctype Controller(byte c) {
  byte d;
  bit come;
  bit foreign; /* another attempt has announced a call that has no answer */
claim:
  atomic {
    if
    :: done[RUN(c)] -> goto finished
    :: !done[RUN(c)] && !lock && !wire[c] -> take_lock()
    fi }
load:
  atomic {
    stale[c] = 0; foreign = open[RUN(c)];
    if
    :: done[RUN(c)] -> goto release
    :: FENCE_LOOK && older[c] -> goto stop
    :: else
    fi }
  append(ATTEMPT);
  wait[c] = (foreign && WAIT -> W + 1 : 0);
decide:
  if
  :: atomic { LOOK && there -> wait[c] = 0; goto told }
  :: atomic { !(LOOK && there) && !wait[c] && !(foreign && !LOOK_AGAIN) }
  :: atomic { foreign && !LOOK_AGAIN && !there -> !wait[c] }
  :: atomic { is_over(c) -> goto stop }
  :: may_be_killed()
  fi;
  foreign = 0;
  append(CALL);
  if
  :: atomic { may_leave(c) && !flight[c] -> if :: !PAUSED_AT_SEND -> send() :: else fi }
  :: atomic { is_over(c) -> goto stop }
  :: atomic { !may_leave(c) && !is_over(c) -> window[c] = 0; goto settle }
  :: may_be_killed()
  fi;
  if :: d_step { PAUSED_AT_SEND -> send() } :: !PAUSED_AT_SEND fi;
  if
  :: atomic { answered[c] -> asks[c] = 0; answered[c] = 0; goto told }
  :: atomic { !flight[c] && !answered[c] -> asks[c] = 0 }
  /* It may be given up before its time. */
  :: atomic { flight[c] && !calm -> asks[c] = 0; if :: RESET -> drop(c) :: else fi }
  :: may_be_killed()
  fi;
settle:
  append(ANSWER);
  goto decide;
told:
  append(DONE);
release:
  atomic { rest(); if :: lock == c -> lock = 0; lease = 0 :: else fi; goto finished }
stop:
  atomic {
    rest();
    if
    :: given_up[c]
    :: else ->
      forget(c); stale[c] = 1; older[c] = 0; for (d : 1 .. N) { behind[c * X + d] = 0 } d = 0
    fi;
    goto claim }
killed:
  atomic {
    given_up[c] = (wire[c] && !written[c]);
    if :: given_up[c] :: else -> forget(c) fi; rest() }
finished:
  skip
}

init {
  byte c;
  atomic {
    for (c : 1 .. N) { run Around(c) }
    run Time(); run Controller(1)
  }
}

#if ENDS
ltl finished { [](calm -> <>done[0]) }
#endif
