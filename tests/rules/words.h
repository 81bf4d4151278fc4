/* words.h: commands and outputs as the words of a case file.
 *
 * A line is split at spaces into words; `struct words` hands them out one by one. What cannot be read ends the program
 * with file, line and the word (exit code 2): a case that nobody can read says nothing.
 *
 * Commands (price: 10.05; time: 20ms, 5s; [] may be missing; terms in any order):
 *     order sN kN SIDE QTY [@ PRICE] [TERMS] [iN]        replace sN kNEW of kOLD QTY [@ PRICE] [TERMS]
 *     carry sN kN SIDE QTY [@ PRICE] [TERMS, executed QTY, shown QTY, firm N] [iN]     (firm: else the session's number)
 *     cancel sN kN [to QTY]    reduce sN kN by QTY       amend sN kN QTY [@ PRICE]
 *     quote sN kN {iN bid QTY [@ PRICE] ask QTY [@ PRICE]} up to three times
 *     phase sN PHASE [KIND] [iN|all] [kN]    uncross, indicative sN [iN|all] [kN]    timer [iN|all]
 *     mass-cancel sN SCOPE [buy|sell] [iN|all] [kN]    kill, unkill sN SCOPE [kN]
 *   SIDE   buy sell short exempt        SCOPE  session N, firm N, all
 *   PHASE  closed auction continuous halted, with auction a KIND: intraday opening closing volatility
 *   TERMS  day ioc gtc gtd fok at-open at-close; market market-to-limit stop stop-limit trailing-stop;
 *          hidden post-only all-or-none reduce-only; display QTY, range QTY, min QTY, peg primary|market|midpoint,
 *          offset PRICE, trigger PRICE, trail PRICE, until TIME, oco kN; echoed (fields that are only echoed)
 *
 * Outputs: who (sN or feed), then
 *     accepted kN SIDE QTY @ PRICE rN [ioc]    replaced kNEW of kOLD SIDE QTY @ PRICE rN [ioc]
 *     amended, triggered kN SIDE QTY @ PRICE rN          canceled kN SIDE QTY rN REASON    rejected kN REASON
 *     executed kN SIDE QTY @ PRICE rN mN added|removed|auction
 *     operator iN|all [PHASE] [QTY] [REASON] [kN]         mass, quoted kN iN|all QTY [REASON]
 *     add rN SIDE QTY @ PRICE    executed, executed-at rN SIDE QTY @ PRICE mN    reduced rN SIDE QTY    deleted rN SIDE
 *     replaced rNEW of rOLD SIDE QTY @ PRICE    trade SIDE QTY @ PRICE mN    phase iN PHASE
 *     cross iN QTY @ PRICE mN    indicative iN SIDE QTY @ PRICE imbalance QTY
 *   Instrument 1 is left out where it is an order's; another one is said at the end. REASON is the constant's name.
 *   kN: client key, rN: order reference, mN: match number.
 */
#ifndef SHADOWBOOK_TESTS_RULES_WORDS_H
#define SHADOWBOOK_TESTS_RULES_WORDS_H

#include "shadowbook/command.h"
#include "shadowbook/output.h"

enum { WORDS_MAX = 64, WORDS_CAPACITY = 'P' };

struct words {
    const char *file;
    int line;
    int n, at;
    char *word[WORDS_MAX];
};

/* Cuts text (which is changed) into words. */
void words_split(struct words *w, const char *file, int line, char *text);
_Noreturn void words_refuse(const struct words *w, const char *why);
bool words_more(const struct words *w);
/* The next word is this one: takes it. */
bool words_take(struct words *w, const char *word);
const char *words_next(struct words *w);
uint32_t words_number(struct words *w);
int64_t words_price(struct words *w);
uint64_t words_time_ns(struct words *w);
/* A number with a letter before it: k7. */
uint32_t words_lettered(struct words *w, char letter);
/* Index of the next word in names[0..n), which it must be in. */
uint8_t words_one_of(struct words *w, const char *const *names, size_t n);

extern const char *const words_phases[4], *const words_auctions[4], *const words_stps[5];

/* The rest of the line, all of it. seq and time_ns are the caller's. */
struct sb_command2 words_command(struct words *w);
/* time_ns and stream_seq are the caller's. */
struct sb_output words_output(struct words *w);

/* The words that words_output() would read, without a newline. */
void words_print_output(char *to, size_t room, const struct sb_output *o);
void words_print_price(char *to, size_t room, int64_t price);

#endif
