/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/moment.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"

#define DAY_S 86400
#define LAST_SECOND 32503680000.0 /* 3000-01-01 */

/* Days since 1970-01-01 of a day of the Gregorian calendar: years start in March, so that the leap
 * day is their last. */
static int64_t days_of(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = y / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

static bool is_day(int year, int month, int day)
{
    static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (year < 1970 || year > 2999 || month < 1 || month > 12 || day < 1 || day > days[month - 1])
        return false;
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month != 2 || day < 29 || is_leap;
}

struct scan {
    const char *at, *end;
};

/* min to max digits as a number, -1 when there are fewer or more. */
static int take_digits(struct scan *scan, int min, int max)
{
    int value = 0;
    int n = 0;
    for (; scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9'; scan->at++, n++) {
        if (n == max)
            return -1;
        value = value * 10 + (*scan->at - '0');
    }
    return n < min ? -1 : value;
}

static bool take(struct scan *scan, char c)
{
    if (scan->at == scan->end || *scan->at != c)
        return false;
    scan->at++;
    return true;
}

static bool take_date(struct scan *scan, int64_t *ret_days)
{
    struct scan start = *scan;
    int year = take_digits(scan, 4, 4);
    int month;
    int day;
    if (year >= 0 && scan->at < scan->end && (*scan->at == '-' || *scan->at == '/')) {
        char mark = *scan->at++;
        month = take_digits(scan, 1, 2);
        if (!take(scan, mark))
            return false;
        day = take_digits(scan, 1, 2);
    } else {
        *scan = start;
        day = take_digits(scan, 1, 2);
        if (!take(scan, '.'))
            return false;
        month = take_digits(scan, 1, 2);
        if (!take(scan, '.'))
            return false;
        year = take_digits(scan, 4, 4);
    }
    if (!is_day(year, month, day))
        return false;
    *ret_days = days_of(year, month, day);
    return true;
}

/* hh:mm[:ss[.fff]], seconds of the day. */
static bool take_time(struct scan *scan, int64_t *ret_seconds)
{
    int hour = take_digits(scan, 1, 2);
    if (hour < 0 || hour > 23 || !take(scan, ':'))
        return false;
    int minute = take_digits(scan, 2, 2);
    int second = take(scan, ':') ? take_digits(scan, 2, 2) : 0;
    if (minute < 0 || minute > 59 || second < 0 || second > 60)
        return false;
    if (take(scan, '.') || take(scan, ','))
        while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9')
            scan->at++;
    *ret_seconds = hour * 3600 + minute * 60 + second;
    return true;
}

/* "", "Z", "UTC", "+02:00", "-0500", in seconds east of Greenwich. */
static bool take_zone(struct scan *scan, int64_t *ret_seconds)
{
    *ret_seconds = 0;
    take(scan, ' ');
    size_t left = (size_t)(scan->end - scan->at);
    if (left == 0 || (left == 1 && *scan->at == 'Z') ||
        (left == 3 && (memcmp(scan->at, "UTC", 3) == 0 || memcmp(scan->at, "GMT", 3) == 0)))
        return true;
    int sign = *scan->at == '-' ? -1 : 1;
    if (!take(scan, '+') && !take(scan, '-'))
        return false;
    struct scan hours = {scan->at, scan->at + 2 < scan->end ? scan->at + 2 : scan->end};
    int hour = take_digits(&hours, 2, 2);
    scan->at = hours.at;
    take(scan, ':');
    int minute = scan->at < scan->end ? take_digits(scan, 2, 2) : 0;
    if (hour < 0 || hour > 14 || minute < 0 || minute > 59 || scan->at != scan->end)
        return false;
    *ret_seconds = sign * (hour * 3600 + minute * 60);
    return true;
}

/* Seconds since 1970, or thousandths of them. */
static bool read_number(const char *text, size_t length, struct moment *moment)
{
    double value;
    if (!text_parse_number(text, length, &value) || value < 0)
        return false;
    if (value >= LAST_SECOND)
        value /= 1000;
    if (value >= LAST_SECOND)
        return false;
    /* Years and the like are no times. */
    if (value > 0 && value < DAY_S)
        return false;
    *moment = (struct moment){floor(value), true};
    return true;
}

enum parse_result moment_parse(const char *text, size_t length, struct moment *ret_moment)
{
    while (length > 0 && text[length - 1] == ' ')
        length--;
    struct scan scan = {text, text + length};
    while (take(&scan, ' '))
        ;
    length = (size_t)(scan.end - scan.at);
    if (parse_is_missing(scan.at, length))
        return PARSE_MISSING;
    struct moment moment;
    if (read_number(scan.at, length, &moment)) {
        *ret_moment = moment;
        return PARSE_OK;
    }
    int64_t days;
    int64_t seconds = 0;
    int64_t zone = 0;
    if (!take_date(&scan, &days))
        return PARSE_BAD;
    bool has_time = scan.at < scan.end;
    if (has_time && ((!take(&scan, 'T') && !take(&scan, ' ')) || !take_time(&scan, &seconds) ||
                     !take_zone(&scan, &zone)))
        return PARSE_BAD;
    *ret_moment = (struct moment){(double)(days * DAY_S + seconds - zone), has_time};
    return PARSE_OK;
}

int moment_hour(double seconds)
{
    return (int)(floor(seconds / 3600) - 24 * floor(seconds / DAY_S));
}

int moment_weekday(double seconds)
{
    double days = floor(seconds / DAY_S) + 3; /* 1970-01-01 was a Thursday */
    return (int)(days - 7 * floor(days / 7));
}
