//! Campaigns and their targets.

use chrono::NaiveDate;
use kit::db::{Tx, statement};
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use super::{day, day_text, known, optional_day, small, unsigned};
use crate::domain::checklist::item::PlaceKind;
use crate::domain::inspection::campaign::{Campaign, Occasion, State, TargetState};
use crate::domain::inspection::schedule::Level;
use crate::domain::inspection::state::Inspection;
use crate::grpc::announced;
use crate::store::{Store, unreadable};

row! {
    /// A campaign.
    CampaignRow in "inspection_campaigns" by ["id"] {
        /// Sorts by when it was called.
        id: Uuid,
        /// The id of the bureau.
        organization: String,
        /// Its place in the tree.
        org_path: String,
        /// The number of the state.
        state: i16,
        /// Shown to people.
        display_name: String,
        /// The number of the occasion.
        occasion: i16,
        /// The id of the list.
        template: String,
        /// What all its versions have in common.
        line: String,
        /// The number of the level.
        level: i16,
        /// The first day.
        start_on: String,
        /// The last day in time.
        end_on: String,
    }
}

row! {
    /// A place that a campaign wants inspected.
    TargetRow in "campaign_targets" by ["campaign", "org_path", "place_kind", "place"] {
        /// The campaign.
        campaign: Uuid,
        /// The place of the organisation in the tree.
        org_path: String,
        /// The number of the kind of place.
        place_kind: i16,
        /// The place within the organisation.
        place: String,
        /// The id of the organisation.
        organization: String,
        /// The id of the organisation right below the bureau, or of the bureau.
        district: String,
        /// The name of the first inspection that counts; empty before.
        inspection: String,
        /// The day of it.
        inspected_on: String,
    }
}

/// A place that a campaign wants inspected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The id of the organisation.
    pub organization: String,
    /// Its place in the tree.
    pub org_path: String,
    /// The id of the organisation right below the bureau, or of the bureau.
    pub district: String,
    /// What is inspected.
    pub kind: PlaceKind,
    /// The place within the organisation.
    pub place: String,
    /// The name of the first inspection that counts; empty before.
    pub inspection: String,
    /// The day of it.
    pub inspected: Option<NaiveDate>,
}

/// How far a campaign is in one district.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The id of the organisation.
    pub organization: String,
    /// How many targets it has.
    pub targets: u32,
    /// How many were inspected.
    pub inspected: u32,
    /// How many of those late.
    pub late: u32,
}

impl Store {
    /// Stores a campaign as it is now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_campaign(tx: &Tx, campaign: &Campaign) -> Result<(), DbErr> {
        let row = CampaignRow {
            id: campaign.id,
            organization: campaign.organization.clone(),
            org_path: campaign.org_path.clone(),
            state: small(campaign.state as i32),
            display_name: campaign.display_name.clone(),
            occasion: small(campaign.occasion as i32),
            template: campaign.template.to_string(),
            line: campaign.template.line(),
            level: small(campaign.level as i32),
            start_on: campaign.start.to_string(),
            end_on: campaign.end.to_string(),
        };
        CampaignRow::save(tx, &[row]).await?;
        Self::tell(tx, vec![announced::campaign(campaign)]).await
    }

    /// One campaign of a bureau; `lock` holds it until the end of the transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn campaign(
        db: &impl ConnectionTrait,
        organization: &str,
        id: Uuid,
        lock: Lock,
    ) -> Result<Option<Campaign>, DbErr> {
        let rows = CampaignRow::find(db, "id", vec![id.into()], lock).await?;
        let row = rows
            .into_iter()
            .find(|row| row.organization == organization);
        row.map(campaign).transpose()
    }

    /// The campaigns that a bureau called before `before`, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn campaigns(
        db: &impl ConnectionTrait,
        organization: &str,
        before: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<Campaign>, DbErr> {
        let before = before.unwrap_or(Uuid::max());
        let sql = format!(
            "SELECT {} FROM inspection_campaigns WHERE organization = $1 AND id < $2 \
             ORDER BY id DESC LIMIT {limit}",
            CampaignRow::COLUMNS.join(", ")
        );
        let values: [Value; 2] = [organization.into(), before.into()];
        let rows = db.query_all_raw(statement(db, &sql, values)).await?;
        rows.iter()
            .map(|row| CampaignRow::read(row).and_then(campaign))
            .collect()
    }

    /// Adds targets to a campaign.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_targets(tx: &Tx, campaign: Uuid, targets: &[Target]) -> Result<(), DbErr> {
        let rows = targets.iter().map(|target| TargetRow {
            campaign,
            org_path: target.org_path.clone(),
            place_kind: small(target.kind as i32),
            place: target.place.clone(),
            organization: target.organization.clone(),
            district: target.district.clone(),
            inspection: target.inspection.clone(),
            inspected_on: day_text(target.inspected),
        });
        let rows: Vec<TargetRow> = rows.collect();
        TargetRow::add(tx, &rows).await
    }

    /// Notes an inspection at the targets of every open campaign for which it is the first that
    /// counts: by the list, for the place, by somebody of the level or further up, not too early.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn meet_targets(
        tx: &Tx,
        inspection: &Inspection,
        on: NaiveDate,
    ) -> Result<(), DbErr> {
        let sql = "UPDATE campaign_targets SET inspection = $1, inspected_on = $2 \
                   WHERE org_path = $3 AND place_kind = $4 AND place = $5 AND inspected_on = '' \
                   AND campaign IN (SELECT id FROM inspection_campaigns WHERE line = $6 \
                   AND state = $7 AND level <= $8 AND start_on <= $2)";
        let values: [Value; 8] = [
            inspection.name().into(),
            on.to_string().into(),
            inspection.org_path.as_str().into(),
            small(inspection.place_kind as i32).into(),
            inspection.place.as_str().into(),
            inspection.template.line().into(),
            small(State::Open as i32).into(),
            small(inspection.level as i32).into(),
        ];
        tx.execute_raw(statement(tx, sql, values)).await?;
        Ok(())
    }

    /// The ids and places of organisations at which something of a campaign was not inspected and nobody
    /// was told so, at most `limit`. The campaign is told by `name`.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn untold_targets(
        tx: &Tx,
        (campaign, name): (&Campaign, &str),
        limit: u64,
    ) -> Result<Vec<(String, String)>, DbErr> {
        let sql = format!(
            "SELECT DISTINCT organization, org_path FROM campaign_targets t \
             WHERE campaign = $1 AND inspected_on = '' AND NOT EXISTS \
             (SELECT 1 FROM accountability_records a \
             WHERE a.resource = $2 AND a.resource <> '' AND a.organization = t.organization) \
             ORDER BY org_path LIMIT {limit}"
        );
        let values: [Value; 2] = [campaign.id.into(), name.into()];
        let rows = tx.query_all_raw(statement(tx, &sql, values)).await?;
        rows.iter()
            .map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)))
            .collect()
    }

    /// How far a campaign is in each district, after `after` in the order of their ids.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn campaign_progress(
        db: &impl ConnectionTrait,
        campaign: &Campaign,
        after: &str,
        limit: u64,
    ) -> Result<Vec<Progress>, DbErr> {
        let sql = format!(
            "SELECT district, COUNT(*), SUM(CASE WHEN inspected_on <> '' THEN 1 ELSE 0 END), \
             SUM(CASE WHEN inspected_on > $3 THEN 1 ELSE 0 END) FROM campaign_targets \
             WHERE campaign = $1 AND district > $2 GROUP BY district ORDER BY district LIMIT {limit}"
        );
        let end = campaign.end.to_string();
        let values: [Value; 3] = [campaign.id.into(), after.into(), end.into()];
        let rows = db.query_all_raw(statement(db, &sql, values)).await?;
        rows.iter()
            .map(|row| {
                Ok(Progress {
                    organization: row.try_get_by_index(0)?,
                    targets: unsigned(row.try_get_by_index(1)?),
                    inspected: unsigned(row.try_get_by_index(2)?),
                    late: unsigned(row.try_get_by_index(3)?),
                })
            })
            .collect()
    }

    /// The targets of a campaign at and below `place`, after a place of the tree, the number of a kind
    /// and a place within the organisation.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn campaign_targets(
        db: &impl ConnectionTrait,
        (campaign, over): (&Campaign, bool),
        place: &str,
        (state, after): (Option<TargetState>, Option<(String, i16, String)>),
        limit: u64,
    ) -> Result<Vec<Target>, DbErr> {
        let mut values: Vec<Value> = Vec::from(super::tree(place));
        let (org_path, kind, within) = after.unwrap_or_default();
        values.extend([
            campaign.id.into(),
            org_path.into(),
            kind.into(),
            within.into(),
        ]);
        let mut against_end = |sign: &str| {
            values.push(campaign.end.to_string().into());
            format!("inspected_on <> '' AND inspected_on {sign} $8")
        };
        let wanted = match state {
            None => "TRUE".to_owned(),
            Some(TargetState::Inspected) => against_end("<="),
            Some(TargetState::InspectedLate) => against_end(">"),
            Some(TargetState::NotInspected) if over => "inspected_on = ''".to_owned(),
            Some(TargetState::Due) if !over => "inspected_on = ''".to_owned(),
            Some(TargetState::NotInspected | TargetState::Due) => "FALSE".to_owned(),
        };
        let wheres = format!(
            "{} AND campaign = $4 AND (org_path > $5 OR (org_path = $5 AND (place_kind > $6 \
             OR (place_kind = $6 AND place > $7)))) AND {wanted}",
            super::IN_TREE
        );
        let rows = TargetRow::page(db, &wheres, values, limit).await?;
        rows.into_iter().map(target).collect()
    }
}

fn campaign(row: CampaignRow) -> Result<Campaign, DbErr> {
    Ok(Campaign {
        state: known(State::from_number(row.state.into()), "state")?,
        occasion: known(Occasion::from_number(row.occasion.into()), "occasion")?,
        template: row.template.parse().map_err(|()| unreadable("template"))?,
        level: known(Level::from_number(row.level.into()), "level")?,
        start: day(&row.start_on)?,
        end: day(&row.end_on)?,
        id: row.id,
        organization: row.organization,
        org_path: row.org_path,
        display_name: row.display_name,
    })
}

fn target(row: TargetRow) -> Result<Target, DbErr> {
    Ok(Target {
        kind: known(
            PlaceKind::from_number(row.place_kind.into()),
            "kind of place",
        )?,
        inspected: optional_day(&row.inspected_on)?,
        organization: row.organization,
        org_path: row.org_path,
        district: row.district,
        place: row.place,
        inspection: row.inspection,
    })
}
