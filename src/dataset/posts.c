/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/posts.h"

#include <math.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/text.h"
#include "dataset/moment.h"
#include "dataset/stream.h"
#include "profile/hashtags.h"

#define MAX_LIKES 1e10
#define MAX_VIEWS 1e11
#define MAX_CHARACTERS 1e5
#define MAX_PIXELS 1e6
#define MAX_ASPECT 100.0
#define MAX_MENTIONS 1e4
#define DAY_S 86400.0

const char *const post_type_names[N_POST_TYPES] = {"unknown", "image", "video", "carousel"};

enum column {
#define POST(name, headers) COLUMN_##name,
#define EDGE(name, headers)
#include "dataset/sources.def"
#undef POST
#undef EDGE
    N_COLUMNS
};

static const struct stream_column columns[N_COLUMNS] = {
#define POST(name, headers) {#name, (headers)},
#define EDGE(name, headers)
#include "dataset/sources.def"
#undef POST
#undef EDGE
};

static const struct stream_kind kind = {"posts", columns, N_COLUMNS};

struct reading {
    const struct posts_input *input;
    post_function on_post;
    void *user;
};

static bool has(const struct stream *stream, enum column column)
{
    return stream->cell[column] && stream->cell[column][0] != '\0';
}

static enum status check_header(void *user, struct stream *stream, struct error *err)
{
    (void)user;
    size_t n = 0;
    for (size_t i = 0; i < N_COLUMNS; i++)
        n += i != COLUMN_account && stream->header[i][0] != '\0';
    if (stream->header[COLUMN_account][0] == '\0')
        return fail(err, STATUS_INVALID,
                    "no table of posts: no column says whose post it is (username, handle, owner)");
    if (n == 0)
        return fail(err, STATUS_INVALID,
                    "no table of posts: beside '%s' it needs a column such as likes, time or type",
                    stream->header[COLUMN_account]);
    return STATUS_OK;
}

/* ---- cells ---- */

static void read_time(struct stream *stream, struct post *post)
{
    post->seconds = MISSING;
    if (!has(stream, COLUMN_time))
        return;
    const char *text = stream->cell[COLUMN_time];
    struct moment moment;
    enum parse_result result = moment_parse(text, strlen(text), &moment);
    if (result == PARSE_BAD)
        stream_note(stream, RULE_not_a_time, COLUMN_time);
    if (result != PARSE_OK)
        return;
    if (moment.seconds < DAY_S) {
        stream_note(stream, RULE_epoch_date, COLUMN_time);
        return;
    }
    post->seconds = moment.seconds;
    post->has_hour = moment.has_hour;
}

static enum post_type type_of(const char *text)
{
    static const struct {
        const char *word;
        enum post_type type;
    } words[] = {
        {"carousel", POST_CAROUSEL}, {"sidecar", POST_CAROUSEL}, {"album", POST_CAROUSEL},
        {"slide", POST_CAROUSEL},    {"multi", POST_CAROUSEL},   {"gallery", POST_CAROUSEL},
        {"video", POST_VIDEO},       {"reel", POST_VIDEO},       {"clip", POST_VIDEO},
        {"igtv", POST_VIDEO},        {"image", POST_IMAGE},      {"photo", POST_IMAGE},
        {"picture", POST_IMAGE},     {"pic", POST_IMAGE},        {"foto", POST_IMAGE},
    };
    char lower[48];
    size_t n = 0;
    for (; text[n] && n + 1 < sizeof lower; n++)
        lower[n] = text[n] >= 'A' && text[n] <= 'Z' ? (char)(text[n] + 'a' - 'A') : text[n];
    lower[n] = '\0';
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        if (strstr(lower, words[i].word))
            return words[i].type;
    /* The platform's own numbers. */
    if (n == 1)
        return lower[0] == '1'   ? POST_IMAGE
               : lower[0] == '2' ? POST_VIDEO
               : lower[0] == '8' ? POST_CAROUSEL
                                 : POST_UNKNOWN;
    return POST_UNKNOWN;
}

static void read_type(struct stream *stream, struct post *post)
{
    post->is_video = stream_flag(stream, COLUMN_is_video);
    post->is_carousel = stream_flag(stream, COLUMN_multiple_image);
    if (has(stream, COLUMN_type)) {
        post->type = type_of(stream->cell[COLUMN_type]);
        if (post->type == POST_UNKNOWN)
            stream_note(stream, RULE_type_unknown, COLUMN_type);
    }
    if (post->type == POST_UNKNOWN && post->is_carousel == 1)
        post->type = POST_CAROUSEL;
    else if (post->type == POST_UNKNOWN && post->is_video == 1)
        post->type = POST_VIDEO;
    else if (post->type == POST_UNKNOWN && post->is_video == 0 && post->is_carousel == 0)
        post->type = POST_IMAGE;
    if (post->type == POST_UNKNOWN)
        return;
    post->is_video = post->type == POST_VIDEO;
    post->is_carousel = post->type == POST_CAROUSEL;
}

/* A flag, or the presence of a name ("Paris", "@brand"). */
static double read_presence(struct stream *stream, enum column column)
{
    const char *text = stream->cell[column];
    double value;
    if (!text)
        return MISSING;
    enum parse_result result = parse_flag(text, strlen(text), &value);
    if (result == PARSE_OK)
        return value;
    bool is_flag = strncmp(stream->header[column], "is", 2) == 0 ||
                   strncmp(stream->header[column], "has", 3) == 0;
    if (result == PARSE_MISSING)
        return is_flag ? MISSING : 0;
    return 1;
}

static size_t count_characters(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

/* @ at the start of a word. */
static size_t count_mentions(const char *text)
{
    size_t n = 0;
    for (const char *c = text; *c; c++)
        n +=
            *c == '@' && (c == text || c[-1] == ' ' || c[-1] == '(') && c[1] != '\0' && c[1] != ' ';
    return n;
}

static double count_hashtags(const struct post *post)
{
    if (!post->hashtags)
        return MISSING;
    struct hashtags tags = post->hashtags_in_caption ? hashtags_of_caption(post->hashtags)
                                                     : hashtags_of(post->hashtags);
    double n = 0;
    while (hashtags_next(&tags))
        n++;
    return n;
}

static void read_texts(struct stream *stream, struct post *post)
{
    const char *caption = stream->cell[COLUMN_caption];
    post->hashtags = stream->cell[COLUMN_hashtags] ? stream->cell[COLUMN_hashtags] : caption;
    post->hashtags_in_caption = !stream->cell[COLUMN_hashtags];
    post->n_hashtags = stream_number(stream, COLUMN_n_hashtags, MAX_MENTIONS);
    if (isnan(post->n_hashtags))
        post->n_hashtags = count_hashtags(post);
    double mentions = stream_number(stream, COLUMN_n_mentions, MAX_MENTIONS);
    double tagged = stream_number(stream, COLUMN_n_tagged, MAX_MENTIONS);
    if (isnan(mentions) && caption)
        mentions = (double)count_mentions(caption);
    post->n_tagged = tagged;
    post->n_mentions = isnan(mentions) ? tagged : mentions + (isnan(tagged) ? 0 : tagged);
    post->caption_length = stream_number(stream, COLUMN_caption_length, MAX_CHARACTERS);
    if (isnan(post->caption_length) && caption)
        post->caption_length = fmin((double)count_characters(caption), MAX_CHARACTERS);
}

static enum status read_post(void *user, struct stream *stream, struct error *err)
{
    const struct reading *reading = user;
    const char *account = stream->cell[COLUMN_account];
    struct post post = {.row = handles_find(reading->input->handles, account)};
    if (post.row == HANDLE_NONE) {
        char handle[HANDLE_BYTES];
        if (handles_fold(account, handle) == 0)
            stream_refuse(stream, RULE_row_without_account, COLUMN_account);
        else
            stream_refuse(stream, RULE_account_unknown, COLUMN_account);
        return STATUS_OK;
    }
    if (has(stream, COLUMN_id))
        post.id = hash_xxh3(stream->cell[COLUMN_id], strlen(stream->cell[COLUMN_id]));
    read_time(stream, &post);
    if (reading->input->before > 0 && !(post.seconds < reading->input->before))
        return STATUS_OK;
    read_type(stream, &post);
    post.likes = stream_number(stream, COLUMN_likes, MAX_LIKES);
    post.comments = stream_number(stream, COLUMN_comments, MAX_LIKES);
    post.views = stream_number(stream, COLUMN_views, MAX_VIEWS);
    if (stream->cell[COLUMN_comments_disabled] &&
        stream_flag(stream, COLUMN_comments_disabled) == 1)
        post.comments = MISSING;
    post.is_sponsored = read_presence(stream, COLUMN_is_sponsored);
    post.has_location = read_presence(stream, COLUMN_has_location);
    post.is_verified =
        stream->cell[COLUMN_verified] ? stream_flag(stream, COLUMN_verified) : MISSING;
    double width = stream_number(stream, COLUMN_width, MAX_PIXELS);
    double height = stream_number(stream, COLUMN_height, MAX_PIXELS);
    post.aspect = width >= 1 && height >= 1 ? fmin(height / width, MAX_ASPECT) : MISSING;
    read_texts(stream, &post);
    return reading->on_post(reading->user, &post, err);
}

/* ---- files ---- */

enum status posts_each(const struct posts_input *input, post_function on_post, void *user,
                       struct import_report *report, struct error *err)
{
    AUTO(arena_deinit) struct arena unheard;
    arena_init(&unheard, 4096);
    struct reading reading = {input, on_post, user};
    const struct stream_callbacks callbacks = {check_header, read_post, &reading};
    for (size_t i = 0; i < input->n_files; i++) {
        struct import_source silent = {0};
        struct stream stream = {
            .kind = &kind,
            .path = input->files[i],
            .memory = report ? &report->memory : &unheard,
            .out = report ? import_report_join(report) : &silent,
            .progress = input->progress,
        };
        if (!stream.out)
            return fail(err, STATUS_NO_MEMORY, "out of memory");
        TRY(stream_read(&stream, &callbacks, err));
    }
    return STATUS_OK;
}
