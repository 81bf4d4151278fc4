#include "words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const words_phases[4] = {"closed", "auction", "continuous", "halted"};
const char *const words_auctions[4] = {"intraday", "opening", "closing", "volatility"};
const char *const words_stps[5] = {"none", "cancel-newest", "cancel-oldest", "cancel-both",
                                   "decrement"};

void words_split(struct words *w, const char *file, int line, char *text)
{
    *w = (struct words){.file = file, .line = line};
    char *rest = NULL;
    for (char *t = strtok_r(text, " \t\r\n", &rest); t != NULL;
         t = strtok_r(NULL, " \t\r\n", &rest)) {
        if (w->n == WORDS_MAX)
            words_refuse(w, "too many words");
        w->word[w->n++] = t;
    }
}

_Noreturn void words_refuse(const struct words *w, const char *why)
{
    const int at = w->at < w->n ? w->at : w->n - 1;
    fprintf(stderr, "%s:%d: %s near \"%s\"\n", w->file, w->line, why, at < 0 ? "" : w->word[at]);
    exit(2);
}

bool words_more(const struct words *w)
{
    return w->at < w->n;
}

bool words_take(struct words *w, const char *word)
{
    if (w->at == w->n || strcmp(w->word[w->at], word) != 0)
        return false;
    w->at++;
    return true;
}

/* The next word; it is taken when it could be read, so that a refusal names it. */
static const char *peek(const struct words *w)
{
    if (w->at == w->n)
        words_refuse(w, "the line ends too early");
    return w->word[w->at];
}

const char *words_next(struct words *w)
{
    const char *word = peek(w);
    w->at++;
    return word;
}

/* Digits at the start of s; *end is behind them. */
static uint64_t digits(const struct words *w, const char *s, char **end)
{
    if (*s < '0' || *s > '9')
        words_refuse(w, "no number");
    return strtoull(s, end, 10);
}

static uint32_t whole_number(const struct words *w, const char *s)
{
    char *end;
    const uint64_t n = digits(w, s, &end);
    if (*end != '\0' || n > UINT32_MAX)
        words_refuse(w, "no number");
    return (uint32_t)n;
}

uint32_t words_number(struct words *w)
{
    const uint32_t n = whole_number(w, peek(w));
    w->at++;
    return n;
}

int64_t words_price(struct words *w)
{
    const char *s = peek(w);
    const bool negative = *s == '-';
    char *end;
    int64_t price = (int64_t)digits(w, s + negative, &end) * 10000;
    if (*end == '.') {
        int64_t unit = 1000;
        for (end++; *end >= '0' && *end <= '9' && unit > 0; end++, unit /= 10)
            price += unit * (*end - '0');
    }
    if (*end != '\0')
        words_refuse(w, "no price");
    w->at++;
    return negative ? -price : price;
}

uint64_t words_time_ns(struct words *w)
{
    static const struct {
        const char *unit;
        uint64_t ns;
    } UNITS[] = {{"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"s", 1000000000}};
    char *end;
    const uint64_t n = digits(w, peek(w), &end);
    for (size_t i = 0; i < sizeof UNITS / sizeof *UNITS; i++)
        if (strcmp(end, UNITS[i].unit) == 0) {
            w->at++;
            return n * UNITS[i].ns;
        }
    words_refuse(w, "no time");
}

uint32_t words_lettered(struct words *w, char letter)
{
    const char *s = peek(w);
    if (*s != letter)
        words_refuse(w, "another letter is expected");
    const uint32_t n = whole_number(w, s + 1);
    w->at++;
    return n;
}

uint8_t words_one_of(struct words *w, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (names[i] != NULL && words_take(w, names[i]))
            return (uint8_t)i;
    words_refuse(w, "unknown word");
}
