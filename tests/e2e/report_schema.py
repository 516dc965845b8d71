# SPDX-License-Identifier: Apache-2.0
"""Checks a report.json against docs/report-schema.md: members, types, lengths, ranges."""

NUMBER = (int, float, type(None))


class Broken(AssertionError):
    pass


def need(condition, place, what):
    if not condition:
        raise Broken(f"{place}: {what}")


def is_absent(part):
    return isinstance(part, dict) and set(part) == {"absent"} and bool(part["absent"])


def members(value, place, /, **types):
    need(isinstance(value, dict), place, f"an object was expected, got {type(value).__name__}")
    for name, kind in types.items():
        need(name in value, place, f"lacks {name}")
        need(isinstance(value[name], kind), f"{place}.{name}", f"is {type(value[name]).__name__}")


def columns(value, place, *names, length=None, optional=()):
    """Arrays of one length; those of `optional` may be empty."""
    need(isinstance(value, dict), place, "an object was expected")
    for name in names + tuple(optional):
        need(isinstance(value.get(name), list), f"{place}.{name}", "an array was expected")
    length = len(value[names[0]]) if length is None else length
    for name in names:
        need(len(value[name]) == length, f"{place}.{name}", f"has {len(value[name])} of {length}")
    for name in optional:
        need(len(value[name]) in (0, length), f"{place}.{name}", f"has {len(value[name])} of {length}")
    return length


def indices(values, names, place):
    for index in values:
        need(isinstance(index, int) and -1 <= index < len(names), place, f"{index} is no group")


def ordered(place, *values):
    known = [v for v in values if v is not None]
    for low, high in zip(known, known[1:]):
        need(low <= high + 1e-9 * abs(high) + 1e-12, place, f"{known} are not in order")


def histogram(value, place, n=None):
    members(value, place, scale=str, edges=list, counts=list, zeros=int)
    need(value["scale"] in ("linear", "log"), place, "scale")
    if value["counts"]:
        need(len(value["edges"]) == len(value["counts"]) + 1, place, "edges")
        ordered(place, *value["edges"])
    if n is not None:
        need(sum(value["counts"]) + value["zeros"] == n, place, f"counts do not add up to {n}")


def check_overview(part):
    members(part, "overview", title=str, headline=list, careful=list)
    need(1 <= len(part["headline"]) <= 8, "overview.headline", "1 to 8 figures")
    for item in part["headline"]:
        members(item, "overview.headline", label=str, value=(int, float, str, type(None)), unit=str, note=str)
    levels = [item["level"] for item in part["careful"]]
    need(levels == sorted(levels, reverse=True), "overview.careful", "warnings come first")
    for item in part["careful"]:
        members(item, "overview.careful", level=str, text=str, section=str)


def check_column(column, n_rows):
    place = f"data.columns.{column.get('name')}"
    members(column, place, name=str, kind=str, role=str, unit=str, help=str, present=int, missing=int,
            distinct=int)
    need(column["present"] + column["missing"] == n_rows, place, "rows do not add up")
    if column["kind"] == "text":
        members(column, place, top=list, top_share=NUMBER, entropy=NUMBER)
        return
    members(column, place, zeros=int, negative=int, mean=NUMBER, sd=NUMBER, skew=NUMBER, skew_ln=NUMBER)
    ordered(place, *(column[q] for q in ("min", "q05", "q25", "median", "q75", "q95", "max")))
    histogram(column["histogram"], f"{place}.histogram", column["present"])


def check_data(part):
    members(part, "data", rows=dict, sources=list, joined=list, events=list, columns=list, alerts=list, outliers=dict,
            comparison=dict)
    rows = part["rows"]
    members(rows, "data.rows", read=int, kept=int, refused=int, repaired=int, unbelieved=int)
    for column in part["columns"]:
        check_column(column, rows["kept"])
    names = {column["name"] for column in part["columns"]}
    for source in part["sources"] + part["joined"]:
        members(source, "data.sources", name=str, month=str, schema=str, encoding=str, delimiter=str,
                sha256=str, bytes=int, rows=int, kept=int, refused=int, columns=list)
        need("/" not in source["name"], "data.sources.name", "carries a folder")
    for event in part["events"]:
        members(event, "data.events", kind=str, rule=str, column=str, text=str, count=int, source=int,
                examples=list)
        need(-1 <= event["source"] < len(part["sources"]), "data.events.source", "no such source")
    for alert in part["alerts"]:
        members(alert, "data.alerts", kind=str, level=str, columns=list, value=NUMBER, threshold=NUMBER, text=str)
        need(set(alert["columns"]) <= names, "data.alerts.columns", alert["columns"])
    members(part["outliers"], "data.outliers", rule=str, columns=list, rows=list)
    need(len(part["outliers"]["rows"]) <= 30, "data.outliers.rows", "more than 30")
    if not is_absent(part["comparison"]):
        members(part["comparison"], "data.comparison", before=str, after=str, in_both=int, appeared=int,
                gone=int, columns=list)


def check_scatter(part, groups):
    n = columns(part, "explore.scatter", "handle", "followers", "measure", "tier", "category", "country",
                optional=("score", "growth"))
    need(n == part["shown"] <= min(part["n"], 5000), "explore.scatter", f"{n} rows")
    for name in ("tier", "category", "country"):
        indices(part[name], groups[name], f"explore.scatter.{name}")


def check_correlations(part):
    k = len(part["columns"])
    estimates = [f"{kind}{suffix}" for kind in ("pearson", "spearman") for suffix in ("", "_low", "_high")]
    columns(part, "explore.correlations", "n", *estimates, length=k * (k - 1) // 2)
    need(len(part["transform"]) == k, "explore.correlations.transform", "length")
    for i in range(k * (k - 1) // 2):
        for kind in ("pearson", "spearman"):
            low, value, high = (part[f"{kind}{s}"][i] for s in ("_low", "", "_high"))
            ordered("explore.correlations", -1.0, low, value, high, 1.0)


def check_explore(part, groups):
    members(part, "explore", measure=dict, scatter=dict, density=dict, correlations=dict, slope=dict,
            distributions=list, growth=dict, timing=dict, categories=dict, countries=dict, projection=dict)
    if not is_absent(part["scatter"]):
        check_scatter(part["scatter"], groups)
    if not is_absent(part["density"]):
        columns(part["density"], "explore.density", "x", "y", "count")
        need(max(part["density"]["x"]) < len(part["density"]["x_edges"]) - 1, "explore.density", "x")
    if not is_absent(part["correlations"]):
        check_correlations(part["correlations"])
    if not is_absent(part["slope"]):
        ordered("explore.slope", part["slope"]["low"], part["slope"]["slope"], part["slope"]["high"])
        columns(part["slope"]["band"], "explore.slope.band", "followers", "fit", "low", "high")
        columns(part["slope"]["by_category"], "explore.slope.by_category", "category", "n", "slope", "low", "high")
    for spread in part["distributions"]:
        place = f"explore.distributions.{spread['column']}.{spread['by']}"
        columns(spread["groups"], place, "group", "n", "min", "q05", "q25", "median", "q75", "q95", "max", "counts")
        indices(spread["groups"]["group"], groups[spread["by"]], place)
        for counts in spread["groups"]["counts"]:
            need(len(counts) == len(spread["edges"]) - 1, place, "counts")
    if not is_absent(part["timing"]):
        timing = part["timing"]
        need(sum(map(sum, timing["hour_weekday"])) == timing["posts"], "explore.timing.posts", "the sum of the hours")
        for counts, lifts in zip(timing["hour_weekday"], timing["lift"], strict=True):
            need(len(counts) == len(lifts) == 24, "explore.timing", "24 hours")
            need(all((lift is None) == (n < 20) for n, lift in zip(counts, lifts)), "explore.timing.lift", "20 posts")
        need(len(timing["lift"]) == 7, "explore.timing", "7 days")
    if not is_absent(part["growth"]):
        n = part["growth"]["n"]
        histogram(part["growth"]["histogram"], "explore.growth.histogram", n - 2 * (n // 100))
        columns(part["growth"]["rows"], "explore.growth.rows", "handle", "followers", "previous", "growth")
    for name, by in (("categories", "category"), ("countries", "country")):
        if not is_absent(part[name]):
            columns(part[name], f"explore.{name}", "group", "n", "share", "followers", "measure",
                    "n_measured", "measure_low", "measure_high", optional=("score",))
            indices(part[name]["group"], groups[by], f"explore.{name}")
    if not is_absent(part["projection"]):
        columns(part["projection"], "explore.projection", "x", "y", length=part["scatter"]["shown"])


def check_leaderboard(part, place):
    members(part, place, target=str, leakage=list, n=int, folds=int, repeats=int, seed=int, chosen=str, leaderboard=list)
    for row in part["leakage"]:
        members(row, f"{place}.leakage", column=str, reason=str)
    for row in part["leaderboard"]:
        members(row, f"{place}.leaderboard", name=str, family=str, settings=str, chosen=bool, metrics=dict)
        for name, metric in row["metrics"].items():
            members(metric, f"{place}.leaderboard.{name}", mean=NUMBER, sd=NUMBER)
    if len(part["leaderboard"]) > 1:
        selection = part["selection"]
        need(selection["metrics"].keys() == part["leaderboard"][0]["metrics"].keys(), place, "the choice has a model's metrics")
        need(sum(selection["folds"].values()) == part["folds"] * part["repeats"], place, "each fold has its choice")
        need(selection["folds"].keys() <= {row["name"] for row in part["leaderboard"]}, place, "of the board")
        for name, metric in selection["metrics"].items():
            members(metric, f"{place}.selection.{name}", mean=NUMBER, sd=NUMBER)
    if part["leaderboard"]:
        need(sum(row["chosen"] for row in part["leaderboard"]) == 1, place, "one model is chosen")


def check_importance(part, place):
    if not is_absent(part):
        columns(part, place, "feature", "mean", "sd")
        need(len(part["feature"]) <= 30, place, "more than 30")
        if not is_absent(part["contribution"]):
            columns(part, place, "feature", "contribution")
        members(part, place, loss=NUMBER, contribution_unit=str)


def check_interaction(part, place):
    if is_absent(part):
        return
    members(part, place, text=str, h=NUMBER)
    need(0 <= part["h"] <= 1, place, "h")
    for key in ("mean", "count"):
        need(len(part[key]) == len(part["y"]["at"]), place, f"rows of {key}")
        need(all(len(row) == len(part["x"]["at"]) for row in part[key]), place, f"columns of {key}")
    columns(part["pairs"], f"{place}.pairs", "a", "b", "h")


def check_score(part, groups):
    check_leaderboard(part, "models.score")
    if not is_absent(part["predicted"]):
        n = columns(part["predicted"], "models.score.predicted", "handle", "actual", "predicted", "low",
                    "high", "tier", "category")
        need(n == part["predicted"]["shown"] <= 3000, "models.score.predicted", f"{n} rows")
        indices(part["predicted"]["tier"], groups["tier"], "models.score.predicted.tier")
        for low, high in zip(part["predicted"]["low"], part["predicted"]["high"]):
            ordered("models.score.predicted", low, high)
    if not is_absent(part["coverage"]):
        members(part["coverage"], "models.score.coverage", stated=NUMBER, observed=NUMBER, n=int, width=NUMBER)
        columns(part["coverage"]["by_tier"], "models.score.coverage.by_tier", "group", "n", "observed", "width")
    if not is_absent(part["residuals"]):
        histogram(part["residuals"]["histogram"], "models.score.residuals.histogram")
        for by in ("by_tier", "by_category"):
            columns(part["residuals"][by], f"models.score.residuals.{by}", "group", "n", "bias", "mae", "q05",
                    "median", "q95")
    check_importance(part["importance"], "models.score.importance")
    if not is_absent(part["dependence"]):
        for curve in part["dependence"]:
            columns(curve, f"models.score.dependence.{curve['feature']}", "x", "mean", "low", "high", "density")
            need(abs(sum(curve["density"]) - 1) < 1e-6, "models.score.dependence", "density")
    check_interaction(part["interaction"], "models.score.interaction")
    members(part["composite"], "models.score.composite", weights=dict, parts=dict)


def check_tier(part):
    check_leaderboard(part, "models.tier")
    k = len(part["names"])
    need(len(part["counts"]) == k, "models.tier.counts", "length")
    need(len(part["confusion"]) == k and all(len(row) == k for row in part["confusion"]),
         "models.tier.confusion", "shape")
    columns(part["by_tier"], "models.tier.by_tier", "precision", "recall", "f1", length=k)
    for by in ("by_size", "by_category"):
        columns(part[by], f"models.tier.{by}", "group", "n", "accuracy", "low", "high")
        for low, accuracy, high in zip(part[by]["low"], part[by]["accuracy"], part[by]["high"]):
            ordered(f"models.tier.{by}", low, accuracy, high)
    members(part["reliability"], "models.tier.reliability", method=str, ece=NUMBER, ece_before=NUMBER)
    columns(part["reliability"], "models.tier.reliability", "n", "stated", "observed", "low", "high",
            length=len(part["reliability"]["edges"]) - 1)
    check_importance(part["importance"], "models.tier.importance")


def check_growth(part, groups):
    check_leaderboard(part, "growth")
    members(part, "growth", text=str, strength=str, ships=bool, base=str, until=str, months=NUMBER, unit=str,
            selected_by=str, spearman=NUMBER, mae=NUMBER, baseline=dict, coverage=dict, by_tier=dict, predicted=dict,
            earlier=dict, forecast=dict)
    need(part["strength"] in ("none", "weak", "fair", "clear"), "growth.strength", part["strength"])
    need((part["strength"] == "none") != part["ships"], "growth.ships", part["ships"])
    need(part["ships"] != is_absent(part["forecast"]), "growth.forecast", "goes with the blob")
    ordered("growth.spearman", -1.0, part["spearman_low"], part["spearman"], part["spearman_high"], 1.0)
    members(part["coverage"], "growth.coverage", stated=NUMBER, observed=NUMBER, n=int, width=NUMBER, text=str)
    columns(part["by_tier"], "growth.by_tier", "group", "n", "median", "spearman", "mae", "observed", "width")
    n = columns(part["predicted"], "growth.predicted", "handle", "actual", "predicted", "low", "high", "tier")
    need(n == part["predicted"]["shown"] <= 3000, "growth.predicted", f"{n} rows")
    indices(part["predicted"]["tier"], groups["tier"], "growth.predicted.tier")
    if not is_absent(part["earlier"]):
        members(part["earlier"], "growth.earlier", base=str, until=str, months=NUMBER, n=int, n_learnt=int,
                had_growth=bool, spearman=NUMBER, mae=NUMBER, baseline_mae=NUMBER, observed=NUMBER)
        need(part["earlier"]["until"] == part["base"], "growth.earlier", "is not the period before")
    if not is_absent(part["forecast"]):
        rows = part["forecast"]["rows"]
        n = columns(rows, "growth.forecast.rows", "handle", "followers", "forecast", "low", "high", "tier", "category")
        need(n == min(50, part["forecast"]["n"]), "growth.forecast.rows", f"{n} rows")
        need(rows["forecast"] == sorted(rows["forecast"], reverse=True), "growth.forecast.rows", "order")
        for low, high in zip(rows["low"], rows["high"]):
            ordered("growth.forecast.rows", low, high)
        columns(part["forecast"]["by_tier"], "growth.forecast.by_tier", "group", "n", "q05", "q25", "median", "q75",
                "q95")


def check_archetypes(part):
    columns(part["candidates"], "archetypes.candidates", "k", "silhouette", "stability", "stability_sd")
    members(part, "archetypes", k=int, silhouette=NUMBER, stability=NUMBER, strength=str, text=str, features=list)
    k = columns(part, "archetypes", "names", "size", "centroids", "figures", "typical", "extreme",
                length=part["k"])
    need(part["strength"] in ("weak", "fair", "clear"), "archetypes.strength", part["strength"])
    for centroid in part["centroids"]:
        need(len(centroid) == len(part["features"]), "archetypes.centroids", "length")
    columns(part["projection"], "archetypes.projection", "handle", "x", "y", "cluster", "followers", "tier",
            "category")
    for cluster in part["projection"]["cluster"]:
        need(0 <= cluster < k, "archetypes.projection.cluster", cluster)


def check_links(part, place):
    if is_absent(part):
        return
    members(part, place, n=int, held=int, unseen=int, method=str, auc=NUMBER, sd=NUMBER, precision=NUMBER,
            scores=list, suggested=list)
    need(0 <= part["unseen"] <= part["held"] <= part["n"], place, "counts")
    need(part["method"] in [score["name"] for score in part["scores"]], place, "method")
    for link in part["suggested"]:
        members(link, place, to=str, score=NUMBER)
        need(isinstance(link["from"], str), place, "from")


def check_network(part, groups):
    members(part, "network", kind=str, n=int, of=int, links=int, isolated=int, modularity=NUMBER, n_communities=int,
            sampled=bool, communities=list, hubs=list, bridges=list, homophily=dict, drawn=dict)
    names = part["communities"]
    need(len(names) <= 24 and len({c["name"] for c in names}) == len(names), "network.communities", "names")
    sizes = [c["size"] for c in names]
    need(sizes == sorted(sizes, reverse=True) and sum(sizes) <= part["n"], "network.communities", "sizes")
    for community in names:
        members(community, "network.communities", name=str, within=NUMBER, themes=list, members=list)
        need(0 <= community["within"] <= 1, "network.communities.within", community["within"])
    for account in part["hubs"] + part["bridges"]:
        members(account, "network.hubs", community=int, degree=int, pagerank=NUMBER, core=int,
                betweenness=NUMBER, spread=NUMBER)
        need(account["core"] <= account["degree"], "network.hubs", "core")
    drawn = part["drawn"]
    n = columns(drawn, "network.drawn", "handle", "tier", "category", "x", "y", "community", "followers", "degree",
                "pagerank")
    need(n <= 5000 and n <= part["n"] - part["isolated"], "network.drawn", f"{n} nodes")
    indices(drawn["tier"], groups["tier"], "network.drawn.tier")
    indices(drawn["category"], groups["category"], "network.drawn.category")
    need(all(0 <= v <= 1 for v in drawn["x"] + drawn["y"]), "network.drawn", "a place is outside")
    m = columns(drawn["edges"], "network.drawn.edges", "from", "to")
    need(m <= 12000, "network.drawn.edges", f"{m} edges")
    for end in drawn["edges"]["from"] + drawn["edges"]["to"]:
        need(0 <= end < n, "network.drawn.edges", end)
    if not is_absent(part["homophily"]):
        ordered("network.homophily", part["homophily"]["low"], part["homophily"]["high"])
    check_links(part["collaborations"], "network.collaborations")
    check_links(part["brands"], "network.brands")


def check_virality(part):
    members(part, "virality", n=int, accounts=int, accounts_share=NUMBER, r2=NUMBER, factors=list)
    need(0 <= part["r2"] <= 1 and part["accounts"] <= part["n"], "virality", "r2, counts")
    for factor in part["factors"]:
        members(factor, "virality.factors", name=str, r2_lost=NUMBER, levels=list)
        need(0 <= factor["r2_lost"] <= part["r2"], "virality.factors.r2_lost", factor["r2_lost"])
        levels = factor["levels"]
        need(sum(level["reference"] for level in levels) == 1, "virality.factors.levels", "one reference")
        for level in levels:
            members(level, "virality.factors.levels", name=str, reference=bool, n=int, accounts=int)
            for kind in (("ln_low", "ln_ratio", "ln_high"), ("low", "effect", "high")):
                if level["reference"]:
                    need(all(level[key] is None for key in kind), "virality.factors.levels", "a reference has figures")
                else:
                    ordered("virality.factors.levels", *(level[key] for key in kind))


def check_report(report):
    members(report, "report", schema=int, kind=str, made=str, influence=str, synthetic=bool, bundle=dict,
            overview=dict, groups=dict, data=dict, explore=dict, models=dict, archetypes=dict, network=dict,
            virality=dict, growth=dict)
    need(report["schema"] == 1, "schema", report["schema"])
    groups = report["groups"]
    members(groups, "groups", tier=list, category=list, country=list)
    check_overview(report["overview"])
    check_data(report["data"])
    check_explore(report["explore"], groups)
    is_bundle = report["kind"] == "bundle"
    for name in ("bundle", "models", "archetypes"):
        need(is_absent(report[name]) != is_bundle, name, f"in a report of the kind {report['kind']}")
    if is_bundle:
        members(report["bundle"], "bundle", id=str, created=str, seed=int, data=list, rows=int,
                synthetic=bool, licence=str, stages=list, versions=dict)
        for file in report["bundle"]["data"]:
            members(file, "bundle.data", name=str, role=str, rows=int, sha256=str, month=str)
            need(file["role"] in ("profiles", "posts", "edges"), "bundle.data.role", file["role"])
        for stage in report["bundle"]["stages"]:
            members(stage, "bundle.stages", name=str, seconds=NUMBER, cpu_seconds=NUMBER, peak_mb=NUMBER)
        if not is_absent(report["models"]["score"]):
            check_score(report["models"]["score"], groups)
        if not is_absent(report["models"]["tier"]):
            check_tier(report["models"]["tier"])
        check_archetypes(report["archetypes"])
        check_network(report["network"], groups)
        if not is_absent(report["growth"]):
            check_growth(report["growth"], groups)
        if not is_absent(report["virality"]):
            check_virality(report["virality"])
