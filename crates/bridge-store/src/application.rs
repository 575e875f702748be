//! The table `applications`: what of a change set was carried into the user's files, and whether it was taken back.

use rusqlite::{Connection, Row, params};

use crate::{StoreError, Timestamp, patch};

/// How an application stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApplicationState {
    /// It is under way, or was cut.
    Applying,
    /// It was carried out.
    Applied,
    /// It was carried out, and taken back later.
    Reversed,
    /// Nothing was changed.
    Failed,
}

/// An application as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationRow {
    /// Its name.
    pub id: String,
    /// What is applied.
    pub change_set: String,
    /// How it stands.
    pub state: ApplicationState,
    /// The application that this one takes back.
    pub reverses: Option<String>,
    /// What it does to each file, as JSON.
    pub steps: String,
}

impl ApplicationState {
    fn as_str(self) -> &'static str {
        match self {
            Self::Applying => "applying",
            Self::Applied => "applied",
            Self::Reversed => "reversed",
            Self::Failed => "failed",
        }
    }

    fn of_text(text: &str) -> Result<Self, StoreError> {
        match text {
            "applying" => Ok(Self::Applying),
            "applied" => Ok(Self::Applied),
            "reversed" => Ok(Self::Reversed),
            "failed" => Ok(Self::Failed),
            other => Err(StoreError::Unreadable(format!("an application that is {other:?}"))),
        }
    }
}

pub(crate) fn put(
    connection: &Connection,
    row: &ApplicationRow,
    at: Timestamp,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO applications (application_id, change_set_id, at, state, reverses, steps)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            row.id,
            row.change_set,
            at.0,
            row.state.as_str(),
            row.reverses,
            patch::compress(&row.steps)?,
        ])?;
    Ok(())
}

pub(crate) fn ended(
    connection: &Connection,
    id: &str,
    state: ApplicationState,
) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE applications SET state = ?2 WHERE application_id = ?1")?
        .execute(params![id, state.as_str()])?;
    if state == ApplicationState::Applied {
        connection
            .prepare_cached(
                "UPDATE applications SET state = 'reversed'
                 WHERE application_id = (SELECT reverses FROM applications WHERE application_id = ?1)",
            )?
            .execute([id])?;
    }
    Ok(())
}

fn read(row: &Row<'_>) -> Result<ApplicationRow, StoreError> {
    Ok(ApplicationRow {
        id: row.get(0)?,
        change_set: row.get(1)?,
        state: ApplicationState::of_text(&row.get::<_, String>(2)?)?,
        reverses: row.get(3)?,
        steps: patch::expand(&row.get::<_, Vec<u8>>(4)?)?,
    })
}

/// The applications of a change set, oldest first.
pub(crate) fn of_change_set(
    connection: &Connection,
    id: &str,
) -> Result<Vec<ApplicationRow>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT application_id, change_set_id, state, reverses, steps FROM applications
         WHERE change_set_id = ?1 ORDER BY at, rowid",
    )?;
    let mut rows = statement.query([id])?;
    let mut applications = Vec::new();
    while let Some(row) = rows.next()? {
        applications.push(read(row)?);
    }
    Ok(applications)
}

/// The files of all change sets and applications, as JSON: they name the contents that are still wanted.
pub(crate) fn all_files(connection: &Connection) -> Result<Vec<String>, StoreError> {
    let mut statement = connection
        .prepare("SELECT changes FROM change_sets UNION ALL SELECT steps FROM applications")?;
    let mut rows = statement.query([])?;
    let mut files = Vec::new();
    while let Some(row) = rows.next()? {
        files.push(patch::expand(&row.get::<_, Vec<u8>>(0)?)?);
    }
    Ok(files)
}
